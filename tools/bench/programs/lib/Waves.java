// SPDX-License-Identifier: GPL-2.0
/** Memory that is needed in waves, so that a collector commits it and gives it back. */
public final class Waves {
	private static final int OBJECTS = 3000;
	private static final int SIZE = 8 << 10;

	private static long wave() {
		byte[][] kept = new byte[OBJECTS][];
		long sum = 0;

		for (int i = 0; i < 2 * OBJECTS; i++) {
			kept[i % OBJECTS] = new byte[SIZE];
			sum += kept[i % OBJECTS].length;
		}
		return sum;
	}

	public static void main(String[] args) throws Exception {
		for (int i = 0; i < Integer.parseInt(args[0]); i++) {
			wave();
			System.gc();
			Thread.sleep(1500);
		}
	}
}
